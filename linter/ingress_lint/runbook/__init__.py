"""The five-phase diagnostic of one route: commands to run, from inside the cluster outwards, and what answers mean."""
