story: The till knows an address, and the address is somebody
start: 2024-03-04
journeys: none
introduce: no

Mon 09:00  ada                   identify         email=ada@people.example
           ada                   Consent Given    email
Mon 10:00  <ADA@people.example>  Order Completed  boots  channel=till
           ada                   is <ada@people.example>
           *                     people 1
Mon 10:05  ada                   ? email boots    just-bought
