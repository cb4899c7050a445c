story: Regulars are thanked, at most every sixty days, on a weekday morning
start: 2011-03-07
journeys: thank-you

Mon 08:00  ada  Consent Given           email
           ada  import Order Completed  mug/kitchen@4.50
Wed 12:00  ada  Order Completed         tin/storage@12.00
Sun 23:00  ada  -> nothing                    # three days later it is Saturday
Mon 09:30  ada  -> mail thank-you  reason="You ordered tin from us and have done so before"
Mon 12:00  ada  Order Completed         bag/bags@3.00
+21d       ada  -> nothing
