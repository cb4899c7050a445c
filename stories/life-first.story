story: The first order
start: 2024-03-04
definitions: life

Mon 09:00  ada  Product Viewed   boots
+1d        ada  Product Viewed   boots
           ada  in considering
+1h        ada  Order Completed  boots@50
           ada  in first
           ada  not in considering
