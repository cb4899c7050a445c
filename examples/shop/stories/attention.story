story: At most two letters a week and a day between them, the most urgent first
start: 2011-11-14

Mon 09:00  ada  Consent Given    email
           ada  import Order Completed  mug/kitchen@4.50
Mon 12:00  ada  Order Completed  tin/storage@900*3           # thank-you on Thursday, welcome to the best tomorrow
Tue 11:00  ada  -> mail vip-welcome
Tue 11:01  ada  ? email plate    gap
Tue 11:30  ada  Product Viewed   lamp/lighting@49.90
           ada  Product Viewed   lamp/lighting@49.90
           ada  Product Viewed   lamp/lighting@49.90
Wed 10:59  ada  -> nothing
Wed 11:00  ada  -> mail lighting-reminder                    # a day after the one before
Thu 12:00  ada  -> nothing                                   # the thank-you is the third in a week
+7d        ada  -> dropped mail thank-you
