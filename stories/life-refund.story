story: A refund moves back
start: 2024-03-04
definitions: life

Mon 09:00  ada  Order Completed  boots@50  order_id=1
+10d       ada  Order Completed  lamp@20   order_id=2
           ada  in repeat
+1d        ada  Order Refunded   lamp@20   order_id=2
           ada  in first
           ada  not in repeat
+1d        ada  Order Cancelled  boots@50  order_id=1
           ada  not in first
