story: What the shop owes is told at once, whatever else holds: no consent, at night, over every cap
start: 2011-11-14
journeys: order-confirmed, order-shipped, order-delivered, order-returned, order-refunded, order-ready

Mon 23:30  ada  Order Completed         lamp/lighting@49.90  order_id=A7
           ada  Order Confirmed         order_id=A7
           ada  -> mail order-confirmed  subject="We have your order A7"
Mon 23:31  ada  Unsubscribed            email                # from promotions
Mon 23:32  ada  Order Shipped           order_id=A7  carrier=Hermes
           ada  -> mail order-shipped
           ada  Order Shipped           order_id=A8
           ada  -> mail order-shipped
Tue 02:00  ada  Order Delivered         order_id=A7
           ada  -> mail order-delivered
           ada  Order Returned          order_id=A7
           ada  -> mail order-returned
           ada  Order Refunded          lamp/lighting@49.90  order_id=A7   # in the books
           ada  -> nothing
           ada  Refund Sent             order_id=A7
           ada  -> mail order-refunded
           ada  import Order Delivered  order_id=A6          # history is told to nobody
           ada  -> nothing
           <guest@people.example>  service order-ready  order_id=B1  store=Leeds
           <guest@people.example>  -> mail order-ready  subject="Your order B1 is ready"
