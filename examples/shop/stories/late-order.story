story: While an order is late promotions are silent, and its own messages are not
start: 2011-11-14
journeys: lighting-reminder, order-delayed, order-shipped

Mon 10:00  ada  Consent Given    email
           ada  Order Completed  mug/kitchen@4.50  order_id=A7  promised_date=2011-11-16
           ada  ? email plate    allowed
Tue 10:00  ada  ? email plate    allowed
Thu 11:59  ada  ? email plate    allowed                     # the promised day is over here, and not yet everywhere
Thu 14:00  ada  ? email plate    order-late
Thu 15:00  ada  Product Viewed   lamp/lighting@49.90
           ada  Product Viewed   lamp/lighting@49.90
           ada  Product Viewed   lamp/lighting@49.90
           ada  waiting lighting-reminder
Thu 16:30  ada  -> nothing
           ada  Order Delayed    order_id=A7  promised_date=2011-11-25
           ada  -> mail order-delayed
Fri 09:00  ada  Order Shipped    order_id=A7
           ada  -> mail order-shipped
           ada  ? email plate    allowed
Fri 13:59  ada  -> nothing
Fri 14:00  ada  -> mail lighting-reminder                    # asked again every six hours
