"""One file for each verb: wallet, wish and moment in, a draft or a refusal out. A verb changes nothing."""
