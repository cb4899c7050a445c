story: Who asked for fewer letters gets one a week, and who paused gets none
start: 2011-11-14

Mon 09:00   ada  Consent Given    email
            ada  identify  $fewer=true
            ada  import Order Completed  mug/kitchen@4.50
Mon 12:00   ada  Order Completed  tin/storage@900*3     # thank-you on Thursday, welcome to the best tomorrow
Tue 11:00   ada  -> mail vip-welcome
Tue 11:01   ada  ? email plate  fewer
Thu 12:00   ada  -> nothing                             # the thank-you would be the second in a week
+7d         ada  -> dropped mail thank-you  fewer

+30d 09:00  bob  Consent Given    email
            bob  identify  $paused_until=1400000000000
            bob  ? email plate  paused
            bob  import Order Completed  mug/kitchen@4.50
+1d 12:00   bob  Order Completed  tin/storage@900*3
+7d         bob  -> dropped mail vip-welcome  paused
            bob  -> dropped mail thank-you  paused
