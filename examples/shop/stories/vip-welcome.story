story: The best customers are welcomed once, whichever way they became that, and returns count
start: 2011-03-07
journeys: vip-welcome

Mon 09:00  ada  Consent Given    email
           ada  Order Completed  tin/storage@500*3
Mon 12:00  ada  Order Completed  tin/storage@500*2
           ada  in vip-spend, big-basket
Mon 13:00  ada  Order Refunded   tin/storage@500*2    # sent back before eleven o'clock next day
           ada  not in vip-spend
Tue 11:00  ada  -> nothing
Wed 10:00  ada  Order Completed  tin/storage@500*2
           ada  in vip-spend
           ada  not in journey vip-welcome           # once in a life: Monday's run was it
Mon 09:00  bob  Consent Given    email
repeat 6
+1h        bob  Order Completed  card/stationery@2.50
end
           bob  in vip-frequency
           bob  not in vip-spend
Tue 10:59  bob  -> nothing
Tue 11:00  bob  -> mail vip-welcome  step=came  reason="You ordered from us six times or more in the last half year"
+30d       bob  -> nothing
