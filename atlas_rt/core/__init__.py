"""What things are: records, world, camera, controls, motion. Imports numpy and nothing of ours but `errors`."""
