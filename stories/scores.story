story: Three visits to the shoes are an interest in shoes, three looks on one visit are not
start: 2024-03-04
journeys: none

Mon 09:00  ada  Product Viewed   boots/shoes
+2m        ada  Product Viewed   sandals/shoes
+2m        ada  Product Viewed   clogs/shoes
           ada  not in shoes-offer          # one visit
Mon 18:00  ada  Product Viewed   boots/shoes
+1m        ada  Product Viewed   boots/shoes
           ada  not in shoes-offer          # two
Tue 09:00  ada  Product Viewed   lamp/lighting
           ada  not in shoes-offer          # another department
Wed 09:00  ada  Product Viewed   boots/shoes
           ada  in shoes-offer              # three
+60d       ada  in shoes-offer              # these points stay
