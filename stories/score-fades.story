story: A score fades by itself, keeps to its caps, and gives back what was returned
start: 2024-03-04
journeys: none

Mon 09:00  ben  Product Viewed   pot
+1m        ben  Product Viewed   tin
           ben  in warm
+1m        ben  Product Viewed   mug        # the day's 4 points for looking are spent
           ben  Consent Given    email      # a point for as long as it holds
           ben  in warm
           ben  not in hot
+1h        ben  Order Completed  pot  order_id=o1
           ben  in hot                      # 10 points a day at the most, and one for the consent
+1h        ben  Order Refunded   pot  order_id=o1
           ben  in warm                     # 4 from looking, 1 for the consent
           ben  not in hot
Fri 09:00  ben  in warm                     # 4 x 2^(-4/7) + 1 is 3.69
Sat 09:00  ben  not in warm                 # 4 x 2^(-5/7) + 1 is 3.44
Sat 10:00  ben  Product Viewed   pot
           ben  in warm
