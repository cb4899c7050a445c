story: Two profiles that turn out to be one are welcomed once
start: 2024-03-04
journeys: once
introduce: no

Mon 09:00  <ada@people.example>  Order Completed  mug      # at the till, by address
           <ada@people.example>  Consent Given    email
Mon 10:00  <ada@people.example>  -> mail once
Mon 12:00  ada                   Order Completed  pot      # in the web shop, by number
           ada                   in journey once
Mon 12:10  ada                   identify         email=ada@people.example
           ada                   is <ada@people.example>
           *                     people 1
           ada                   not in journey once
+7d        *                     -> nothing
