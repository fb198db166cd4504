# shellcheck disable=SC2086 # one word per package
retry npm install --global --no-fund --no-audit $NPM_PACKAGES
