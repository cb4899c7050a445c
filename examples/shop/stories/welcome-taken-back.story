story: An order that is cancelled is not welcomed, and neither is history
start: 2011-03-07
journeys: welcome

Mon 09:00  ada  Consent Given           email
Mon 11:00  ada  Order Completed         mug/kitchen@4.50*6
Mon 15:00  ada  Order Cancelled
           ada  not in journey welcome
Mon 16:00  bob  Consent Given           email
           bob  import Order Completed  mug/kitchen@4.50
           bob  in active
           bob  not in journey welcome
+7d        ada  -> nothing
           bob  -> nothing
