"""The platform's programs. Each folder is one service or one way in; they meet over gRPC only, never by import."""
