story: A loyal customer who brings a friend is an advocate
start: 2024-03-04
definitions: life

Mon 09:00  ada  Order Completed  boots@50
+30d       ada  Order Completed  lamp@20
+30d       ada  Order Completed  vase@20
+30d       ada  Order Completed  rug@90
           ada  in loyal
+1d        ada  identify         referrals=1
           ada  in advocate
           ada  not in loyal
