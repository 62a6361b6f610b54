#!/bin/sh
# Runs as root while the image is built, with the variables of BentoML's Dockerfile.
set -eu

# A volume mounted here gets this owner, so that the server can write to it.
install -d -o "$BENTO_USER_UID" -g "$BENTO_USER_GID" -m 700 "$FRONTDESK_HOME"

# Some base images make home folders private, but every user must be able to read the code in this one.
chmod 755 "$BENTOML_HOME"

# BentoML writes to BENTOML_HOME when it is imported. The Dockerfile sets it to the home folder of the image's user, which
# other users cannot write to and which is read-only with a read-only root. `envs` of bentofile.yaml cannot change it: ENV
# takes precedence over ARG. The entrypoint sources this file. A value that the container sets itself is kept.
cat >>"$VIRTUAL_ENV/bin/activate" <<END

if [ "\$BENTOML_HOME" = "$BENTOML_HOME" ]; then
    export BENTOML_HOME="\${TMPDIR:-/tmp}/bentoml"
fi
END
