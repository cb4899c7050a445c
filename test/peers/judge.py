"""Judges the mails that are named on the command line by dkimpy and authheaders,
asking the DNS server at PORT: a line for each with the DKIM results by algorithm
and the verdict of DMARC.

usage: judge.py PORT MAIL...
"""
import sys

import dns.resolver

resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers, resolver.port, resolver.lifetime = ["127.0.0.1"], int(sys.argv[1]), 5
dns.resolver.default_resolver = resolver

import authheaders
import dkim

for name in sys.argv[2:]:
    mail = open(name, "rb").read()
    holds = []
    for i in range(2):
        d = dkim.DKIM(mail)
        try:
            good = d.verify(idx=i)
        except dkim.DKIMException:
            good = False
        holds.append("yes" if good else "no")
    verdict = authheaders.authenticate_message(mail, "mx.people.example", ip="127.0.0.1", mail_from="b@bounces.shop.example", helo="localhost", spf=False, dkim=True, arc=False, dmarc=True)
    dmarc = "pass" if "dmarc=pass" in verdict else "fail" if "dmarc=fail" in verdict else "none"
    print("dkim=" + "/".join(holds), "dmarc=" + dmarc)
