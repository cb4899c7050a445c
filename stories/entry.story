story: Who enters, and who enters again
start: 2024-03-04
journeys: once, per-order, rolling, third-order

Mon 09:00  ada  Consent Given    email
           ada  Order Completed  mug  order_id=A1
Mon 10:00  ada  -> mail once       reason="You ordered A1"
           ada  -> mail per-order  reason="You ordered A1"
Mon 11:00  ada  Order Completed  pot  order_id=A2
Mon 12:00  ada  -> mail per-order  reason="You ordered A2"   # once, never again; per-order for each
           ada  Order Completed  pot  order_id=A2            # the same order told twice is one
+7d        ada  -> nothing
           ada  Order Completed  tin  order_id=A3
           ada  -> mail third-order  reason="You ordered A3, your third"   # tested after the order counts
+1h        ada  -> mail per-order
Tue 09:00  bob  Consent Given    email
           bob  Cart Viewed      items=3
           bob  -> mail rolling  reason="You looked into your cart with 3 things"
Mon 20:00  bob  Cart Viewed      items=4
           bob  -> nothing                                    # not within a week of the last entry
Tue 09:00  bob  Cart Viewed      items=5
           bob  -> mail rolling  reason="You looked into your cart with 5 things"
