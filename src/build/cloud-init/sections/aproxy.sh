# what a runner sends to the world's ports 80 and 443 goes to aproxy, which asks the proxy; the table and its chains
# are named and hooked as github-runner's are, which replaces the rules on a runner's boot
command -v nft > /dev/null || retry apt-get -q -y --no-install-recommends install nftables
install -d /etc/nftables.d
rules() {
  for network in $APROXY_DIRECT; do echo "    ip daddr $network return"; done
  echo '    fib daddr type local return'
  echo '    tcp dport { 80, 443 } counter redirect to :8444'
}
cat > /etc/nftables.d/aproxy.nft <<END
table ip aproxy
flush table ip aproxy
table ip aproxy {
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
$(rules)
  }
  chain output {
    type nat hook output priority -100; policy accept;
$(rules)
  }
}
END
# Debian's nftables.service loads nothing but this file
[ -f /etc/nftables.conf ] || printf '#!/usr/sbin/nft -f\nflush ruleset\n' > /etc/nftables.conf
grep -qxF 'include "/etc/nftables.d/aproxy.nft"' /etc/nftables.conf ||
  echo 'include "/etc/nftables.d/aproxy.nft"' >> /etc/nftables.conf
nft -c -f /etc/nftables.conf
systemctl enable nftables.service
snap set aproxy "proxy=$APROXY_UPSTREAM" listen=:8444
# now too, for the operator's script; not by the service, whose flush would take docker's rules away
nft -f /etc/nftables.d/aproxy.nft
