story: Few are left, and one goes over the counter before the message does
start: 2024-03-04
journeys: last-ones

Mon 09:00  ada  Consent Given         email
           bob  Consent Given         email
           cat  Consent Given         email
Mon 10:00  ada  Product Low In Stock  lamp@50.00  interest=carted stock=3
           bob  Product Low In Stock  lamp@50.00  interest=carted stock=3
           cat  Product Low In Stock  lamp@50.00  interest=viewed stock=3
Mon 10:20  bob  Order Completed       lamp@50.00  channel=till
Mon 10:30  ada  -> mail note
           bob  -> dropped note  just-bought
           cat  -> nothing
