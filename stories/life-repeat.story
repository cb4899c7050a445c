story: The second order
start: 2024-03-04
definitions: life

Mon 09:00  ada  Order Completed  boots@50
+30d       ada  in first
           ada  Order Completed  lamp@20
           ada  in repeat
           ada  not in first
