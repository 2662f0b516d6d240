"""What is kept of sessions in a region's store: how it lies there, who reads and deletes it.

Every region's server has one store. Nodes put content into the stores that a session's policy
allows (`shared.policy.keeping`); custodians read and delete it. Nothing here is for the centre.
"""
