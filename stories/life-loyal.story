story: Who keeps ordering is loyal
start: 2024-03-04
definitions: life

Mon 09:00  ada  Order Completed  boots@50
+30d       ada  Order Completed  lamp@20
+30d       ada  Order Completed  vase@20
           ada  in repeat
+30d       ada  Order Completed  rug@90
           ada  in loyal
           ada  not in repeat
