story: Half of an interest in shoes is one, once it weighs enough, until it has faded
start: 2024-03-04
journeys: none

Mon 09:00  ada  Product Viewed   boots/shoes
           ada  not in shoe-lover           # one look is all there is, and too little
+1m        ada  Product Added    boots/shoes
           ada  in shoe-lover               # 1 + 3
+1m        ada  Product Added    lamp/lighting
           ada  Product Viewed   lamp/lighting
           ada  not in shoe-lover           # half and half
+1m        ada  Product Viewed   boots/shoes
           ada  in shoe-lover               # 5 of 9, weighing 5
+22d       ada  in shoe-lover               # 5 x 2^(-22/30) is 3.007
+1d        ada  not in shoe-lover           # and a day later 2.94
