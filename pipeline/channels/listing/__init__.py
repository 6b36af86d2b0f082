"""What commands and routes read of channels: who is watched and how, streams, polls, videos and figures over all."""
