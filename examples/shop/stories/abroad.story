story: Customers abroad are asked at their own hours
start: 2011-11-14
journeys: lighting-reminder

Mon 12:00  ada  identify  email=ada@people.example  first_name=Ada  country=US  timezone=America/New_York
           ada  in abroad
           ada  Consent Given   email
           ada  Product Viewed  lamp/lighting@49.90
+1m        ada  Product Viewed  lamp/lighting@49.90
+1m        ada  Product Viewed  lamp/lighting@49.90
Mon 12:59  ada  -> nothing
Mon 13:30  ada  -> mail lighting-reminder   # at 13:02 in London it is 8:02 in New York
