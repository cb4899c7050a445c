story: The audience is tested again at the moment of sending
start: 2024-03-04
journeys: retested, not-retested

Mon 22:00  ada  identify         email=ada@people.example  country=GB
           ada  Consent Given    email
           ada  Checkout Started                     # quiet hours: until eight
           ada  waiting retested
Tue 07:00  ada  identify         country=FR
Tue 08:00  ada  -> recalled mail retested
           ada  -> mail not-retested
+7d        ada  -> nothing
