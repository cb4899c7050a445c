story: The public key of a page may not consent for anybody, nor take their address
start: 2024-03-04
journeys: none
introduce: no

Mon 09:00  ada        identify       email=ada@people.example
           ada@phone  Consent Given  email
           ada        ? email        no_consent
           ada@phone  identify       email=eve@people.example
           ada        has email=ada@people.example
           ada        Consent Given  email      # the shop's back end may
           ada        ? email        allowed
           ada@phone  Consent Withdrawn  email  # and everybody may say no
           ada        ? email        no_consent
