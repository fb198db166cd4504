/** What `guest/manifest.sh` prints in an Ubuntu 24.04 guest. */
export const GUEST_OUTPUT = `@os
PRETTY_NAME="Ubuntu 24.04.3 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION_CODENAME=noble
ID=ubuntu

@serial
20261120
@kernel
6.8.0-86-generic
6.8.0-88-generic
@deb
ii \tdpkg\t1.22.6ubuntu6.5\tamd64
ii \tjq\t1.7.1-3ubuntu0.24.04.1\tamd64
ii \tlibc6\t2.39-0ubuntu8.6\tamd64
ii \tlibstdc++6\t14.2.0-4ubuntu2~24.04\tamd64
rc \tlinux-image-6.8.0-31-generic\t6.8.0-31.31\tamd64
ii \tpython3-yaml\t6.0.1-2build2\tall
@snap
Name     Version        Rev    Tracking       Publisher   Notes
aproxy   0.2.4          10     latest/edge    canonical   -
juju     3.6.9          32000  latest/stable  canonical   -
@npm
{
  "name": "lib",
  "dependencies": {
    "@scope/tool": { "version": "2.0.0", "overridden": false },
    "yarn": { "version": "1.22.22", "overridden": false }
  }
}
@pip
[{"name": "PyYAML", "version": "6.0.1"}, {"name": "cloud_init", "version": "25.2"}]
@runner
2.333.1
@sections
hostname\t0\t1
packages\t74\t2
`;
