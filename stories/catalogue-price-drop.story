story: A price falls, and who looked at it hears of it once
start: 2024-03-04
journeys: cheaper

Mon 09:00  ada  Consent Given          email
           bob  Consent Given          email
           cat  Consent Given          email
Mon 10:00  ada  Product Price Dropped  lamp@40.00  interest=viewed drop=20 price_before=50
           ada  -> mail note
Mon 10:00  bob  Product Price Dropped  lamp@48.00  interest=viewed drop=4 price_before=50
           bob  -> nothing
           # Four per cent is no news.
           cat  Order Completed        lamp@50.00  channel=till
           cat  Product Price Dropped  lamp@40.00  interest=bought drop=20 price_before=50
           cat  -> nothing
Wed 10:00  ada  Product Price Dropped  lamp@30.00  interest=viewed drop=25 price_before=40
           ada  -> nothing
           # The journey is once for each product.
