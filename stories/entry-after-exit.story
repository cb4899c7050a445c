story: After exit one may come again, not before
start: 2024-03-04
journeys: after-exit

Mon 09:00  ada  Consent Given    email
           ada  Product Viewed   mug
Mon 10:00  ada  Product Viewed   pot                # still inside: nothing new begins
Mon 11:00  ada  Order Completed  tin
           ada  not in journey after-exit
Mon 12:00  ada  Product Viewed   pot
           ada  in journey after-exit
Tue 12:00  ada  -> mail after-exit  reason="You looked at pot"
+7d        ada  -> nothing
