story: History and what is heard too late trigger nothing, and count all the same
start: 2024-03-04
journeys: once, goal

Mon 09:00  ada  Consent Given           email
           ada  import Order Completed  mug
           ada  not in journey once
           ada  late 2h Order Completed  pot
           ada  not in journey once
           ada  ? email mug  just-bought
Tue 09:00  ada  Product Added           tin
           ada  in journey goal
           ada  import Order Completed  tin       # imported, and still an order: there is nothing to remind of
           ada  not in journey goal
+7d        ada  -> nothing
