story: An exit and a goal end a run at once, and take back what waits
start: 2024-03-04
journeys: goal, after-exit

Mon 09:00  ada  Consent Given    email
           ada  Product Added    mug
Mon 10:00  ada  -> mail goal
Wed 09:00  ada  Order Completed  tin                 # mid-wait
           ada  not in journey goal
+7d        ada  -> nothing
Mon 20:30  ada  Product Added    pot
Mon 21:30  ada  waiting goal                         # quiet hours hold it
Tue 07:59  ada  Order Completed  tin
           ada  waiting nothing
           ada  -> recalled mail goal
+7d        ada  -> nothing
