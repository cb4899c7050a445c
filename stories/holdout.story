story: Who is held out walks the journey, and hears nothing
start: 2024-03-04
journeys: held-out
holdout: on

Mon 09:00  ada  Consent Given  email
           ada  Cart Viewed
           ada  -> withheld mail held-out  holdout
           ada  has walked=yes
           ada  -> nothing
