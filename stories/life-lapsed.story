story: Silence for four times the usual: she is taken to have left
start: 2024-03-04
definitions: life

Mon 09:00  ada  Order Completed  boots@50
+20d       ada  Order Completed  lamp@20
+20d       ada  Order Completed  vase@20
+79d       ada  in at-risk
+1d        ada  in lapsed
           ada  in silent
           ada  not in at-risk
