story: Silence for twice the usual is a risk, by the customer's own rhythm
start: 2024-03-04
definitions: life

Mon 09:00  ada  Order Completed  boots@50
+20d       ada  Order Completed  lamp@20
+20d       ada  Order Completed  vase@20
           bob  Order Completed  vase@20
+39d       ada  in repeat
+1d        ada  in at-risk
           ada  in silent
           ada  not in repeat
           bob  in first
+80d       bob  in at-risk
