story: Who is engaged and likes lamps is a lighting lover until the interest has faded
start: 2011-03-07
journeys: none

Mon 09:00  ada  Product Viewed   brass-lamp/lighting@49.90
+1m        ada  Product Added    brass-lamp/lighting@49.90
           ada  not in lighting-lovers      # four points: curious
Tue 09:00  ada  Order Completed  mug/kitchen@9.00  order_id=7
           ada  in lighting-lovers          # 24 points, 4 of 10 for lamps
+1h        ada  Order Refunded   mug/kitchen@9.00  order_id=7
           ada  not in lighting-lovers      # the order's points are gone
Wed 09:00  ada  Order Completed  mug/kitchen@9.00  order_id=8
           ada  not in lighting-lovers      # 4 of 16 for lamps
Thu 09:00  ada  Order Completed  tall-lamp/lighting@89.00  order_id=9
           ada  in lighting-lovers          # 10 of 22
+48d       ada  not in lighting-lovers      # some 14 points are left of 44
