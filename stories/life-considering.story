story: Who comes again without buying considers, for two weeks
start: 2024-03-04
definitions: life

Mon 09:00  ada  Product Viewed  boots
           ada  in prospect
+1d        ada  Product Viewed  boots
           ada  in considering
           ada  not in prospect
+13d       ada  in considering
+1d        ada  in prospect
           ada  not in considering
