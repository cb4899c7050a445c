story: The till was cut off for a day; what it sold is not written about once it is known
start: 2024-03-04
journeys: last-ones

Mon 09:00  ada  Consent Given         email
Tue 11:00  ada  Product Low In Stock  lamp@50.00  interest=carted stock=3
Tue 11:10  ada  late 24h Order Completed  lamp@50.00  channel=till store=soho
           ada  -> nothing
Tue 12:00  ada  -> dropped note  just-bought
           ada  ? email lamp  just-bought
