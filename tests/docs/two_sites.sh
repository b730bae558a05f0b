# Sourced on a machine of README's "Two sites": what those who run the KMEs have done. Two KMEs run, and the end's certificate for
# its own is in qsp/.   usage: . two_sites.sh alice|bob
if [ ! -e ../sites ]; then
  qsp kme lab ../sites
  for kme in a b; do
    [ $kme = a ] && sae=alice || sae=bob
    # The laboratory's SAEs go by their certificates' names; these sites know them by others.
    pin=$(sed '/-----/d' ../sites/$sae/cert.pem | base64 -d | sha256sum | cut -d' ' -f1)
    sed -i -e "s/^id = .*/id = \"SAE-$sae\"\nfingerprint = \"$pin\"/" -e 's/^peer_saes = .*"\(.*\)".*/peer_saes = ["SAE-\1"]/' ../sites/kme-$kme/kme.toml
    qsp kme serve ../sites/kme-$kme/kme.toml 2>>../sites/kme-$kme.log &
  done
  qsp kme status ../sites/kme-a/kme.toml --wait 60
  qsp kme status ../sites/kme-b/kme.toml --wait 60
fi
cp ../sites/ca.pem qsp/kme-ca.pem
cp "../sites/$1/cert.pem" qsp/kme.pem
cp "../sites/$1/key.pem" qsp/kme.key
# What the page says to whoever has skipped the pad.
[ "$1" = alice ] && peer=bob || peer=alice
grep -q '^sae_id' qsp/peers.toml || printf 'qkd = "required"\nsae_id = "SAE-%s"\n' $peer >>qsp/peers.toml
