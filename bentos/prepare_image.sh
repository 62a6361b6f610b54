#!/bin/sh
# Runs as root while the image is built: a volume mounted here takes over this owner, so that the server may write to it.
set -eu
install -d -o bentoml -g bentoml -m 700 /home/bentoml/frontdesk
chmod 755 /home/bentoml    # some base images make home folders private: the code must be readable for any user
