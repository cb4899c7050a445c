story: One letter at nine by each regular's own clock, and to nobody who said no
start: 2026-11-20

Fri 09:00  ada  import Order Completed  mug@4.50
           ada  import Order Completed  mug@4.50
           ada  import Order Completed  mug@4.50
           ada  import Order Completed  mug@4.50
           ada  import Order Completed  mug@4.50
           ada  Consent Given    email
           bob  import Order Completed  mug@4.50
           bob  Consent Given    email
2026-11-30 12:00  *  campaign send new-in
2026-12-01 08:59  *  -> nothing
2026-12-01 09:00  ada  -> mail new-in  subject="New in the shop, and a tenth off"
           bob  -> nothing                                # one order is not five
