story: A message that the provider does not take did not arrive, and the customer takes the other way
start: 2024-03-04
journeys: awaited

Mon 09:00  ada  Consent Given  email
           ada  Cart Viewed
           ada  -> mail awaited
           ada  has told=yes
           bob  Consent Given  email
           bob  address bounces
           bob  Cart Viewed
           bob  -> rejected mail awaited
           bob  has told=no
           bob  ? email  bounced
           cyd  Consent Given  email
           cyd  address defers
           cyd  Cart Viewed
           cyd  in journey awaited at first
+30m       cyd  address works
+1h        cyd  -> mail awaited
           cyd  has told=yes
