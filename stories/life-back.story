story: Who orders after having lapsed is back, until the next order
start: 2024-03-04
definitions: life

Mon 09:00  ada  Order Completed  boots@50
+250d      ada  in lapsed
           ada  Order Completed  lamp@20
           ada  in back
           ada  not in silent
+30d       ada  Order Completed  vase@20
           ada  in repeat
           ada  not in back
