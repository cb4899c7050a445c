story: A first order is welcomed once, a day later
start: 2011-03-07
journeys: welcome

Mon 09:00  ada  Consent Given    email
Mon 11:00  ada  Order Completed  mug/kitchen@4.50*6
           ada  in new, active
           ada  in journey welcome at settle
Tue 10:59  ada  -> nothing
Tue 11:00  ada  -> mail welcome  subject="Welcome, Ada"  reason="This was your first order with us, with mug"
Fri 09:00  ada  Order Completed  plate/kitchen@9.00    # the second: goal, and no second welcome
           ada  not in journey welcome
+60d       ada  -> nothing
           ada  not in new
