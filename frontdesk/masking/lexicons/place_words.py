# ruff: noqa: E501  -- lists and patterns read better unbroken
"""The words of postal addresses: kinds of streets, towns that need no other sign, states and postcode areas."""

from __future__ import annotations

STREET_ENDING = (
    *(
        "straße",
        "strasse",
        "str.",
        "str",
        "weg",
        "platz",
        "allee",
        "gasse",
        "damm",
        "ufer",
        "steig",
        "chaussee",
        "pfad",
    ),
    *(
        "promenade",
        "landstr",
        "landstr.",
        "straat",
        "laan",
        "plein",
        "gracht",
        "kade",
        "dijk",
        "singel",
        "gatan",
        "vägen",
    ),
    *("gade", "vej", "veien", "katu", "ring", "markt", "hof"),
)
"""How streets end in German, Dutch and the north: Hauptstraße, Marienplatz, Prinsengracht."""

BARE_STREET = frozenset(
    """
    straße strasse str. str platz allee weg gasse damm ufer chaussee markt laan straat plein gracht kade dijk singel
    """.split()
)
"""Those that are a street as a word of their own, behind a name: Berliner Straße."""

NO_STREET = frozenset(
    """
    umweg rückweg heimweg lieferweg postweg arbeitsplatz sitzplatz stellplatz parkplatz speicherplatz spielplatz ersatzplatz
    campingplatz bahnhof friedhof supermarkt baumarkt ohrring schlüsselring ehering fingerring ring hof
    spring string keyring earring during bring laufweg weihnachtsmarkt flohmarkt einsatz gehweg radweg
    """.split()
)
"""Words with such an ending that are none."""

STREET_FIRST = (
    r"calle|c/|avenida|avda\.?|av\.|plaza|pza\.?|paseo|p[ºo]\.?|carrer|ronda|camino|carretera|ctra\.?|travesía|glorieta|rambla"
    r"|gran vía|via|viale|v\.le|piazza|p\.zza|piazzale|corso|c\.so|largo|vicolo|strada|lungomare|lungarno|contrada"
    r"|rua|rue|avenue|boulevard|chaussée|place|quai|allée|chemin"
)
"""Kinds of streets that stand before the name and the number: Calle Mayor 5, Via Roma 12."""

STREET_AFTER_NUMBER = (
    r"rue|avenue|av\.?|ave\.?|boulevard|bd\.?|bld\.?|blvd\.?|place|pl\.|allées?|impasse|chemin|ch\.|quai|route|rte\.?|cours"
    r"|square|passage|faubourg|fbg\.?|sentier|villa|cité|résidence|lotissement|montée|esplanade|promenade"
)
"""Kinds of streets that stand between the number and the name: 12 rue des Lilas."""

STREET_LAST = (
    r"street|str?\.?|road|rd\.?|avenue|ave?\.?|lane|ln\.?|drive|dr\.?|court|ct\.?|close|way|place|pl\.?|square|sq\.?|terrace"
    r"|crescent|cres\.?|gardens|gdns\.?|boulevard|blvd\.?|highway|hwy\.?|parkway|pkwy\.?|row|mews|grove|hill|park|walk|green"
    r"|view|circle|cir\.?|trail|trl\.?|loop|alley|quay|wharf|rise|broadway|turnpike|pike"
)
"""Kinds of streets that stand after number and name: 221 Baker Street, 350 Fifth Ave."""

TOWNS = (
    r"London|Manchester|Birmingham|Leeds|Glasgow|Edinburgh|Liverpool|Bristol|Sheffield|Cardiff|Belfast|Nottingham|Leicester"
    r"|Newcastle(?: upon Tyne)?|Brighton|Oxford|Cambridge|York|Bath|Norwich|Exeter|Plymouth|Southampton|Portsmouth|Reading"
    r"|Aberdeen|Dundee|Coventry|Derby|Swansea|Dublin|Cork|Galway"
    r"|New York|Brooklyn|Los Angeles|Chicago|Houston|Phoenix|Philadelphia|San Antonio|San Diego|Dallas|San Jose|Austin"
    r"|San Francisco|Seattle|Denver|Boston|Portland|Las Vegas|Detroit|Memphis|Baltimore|Milwaukee|Atlanta|Miami|Oakland"
    r"|Minneapolis|Cleveland|Springfield|Madison"
    r"|Berlin|Hamburg|München|Munich|Köln|Frankfurt(?: am Main)?|Stuttgart|Düsseldorf|Leipzig|Dortmund|Essen|Bremen|Dresden"
    r"|Hannover|Nürnberg|Duisburg|Bochum|Wuppertal|Bielefeld|Bonn|Münster|Mannheim|Karlsruhe|Augsburg|Wiesbaden|Kiel|Aachen"
    r"|Freiburg(?: im Breisgau)?|Mainz|Lübeck|Erfurt|Rostock|Kassel|Potsdam|Heidelberg|Jena|Regensburg|Würzburg|Ulm|Wien|Graz"
    r"|Linz|Salzburg|Innsbruck|Zürich|Basel|Bern|Luzern|Genève"
    r"|Paris|Marseille|Lyon|Toulouse|Nice|Nantes|Strasbourg|Montpellier|Bordeaux|Lille|Rennes|Reims|Toulon|Grenoble|Dijon"
    r"|Angers|Nîmes|Brest|Le Mans|Tours|Amiens|Limoges|Metz|Perpignan|Rouen|Mulhouse|Caen|Nancy|Avignon|Annecy|Pau|Bruxelles"
    r"|Liège|Namur"
    r"|Madrid|Barcelona|Valencia|Sevilla|Zaragoza|Málaga|Murcia|Palma|Bilbao|Alicante|Córdoba|Valladolid|Vigo|Gijón|Granada"
    r"|Vitoria|A Coruña|Elche|Oviedo|Cartagena|Pamplona|Santander|Salamanca|Burgos|Toledo|Cádiz|San Sebastián|Girona"
    r"|Roma|Milano|Napoli|Torino|Palermo|Genova|Bologna|Firenze|Bari|Catania|Venezia|Verona|Messina|Padova|Trieste|Brescia"
    r"|Parma|Modena|Perugia|Livorno|Ravenna|Cagliari|Siena|Pisa|Lucca|Bergamo|Trento"
    r"|Amsterdam|Rotterdam|Den Haag|Utrecht|Eindhoven|Groningen|Tilburg|Almere|Breda|Nijmegen|Haarlem|Arnhem|Leiden|Delft"
    r"|Maastricht|Antwerpen|Gent|Brugge|Leuven|Stockholm|Göteborg|Malmö|Uppsala|København|Aarhus|Oslo|Bergen|Helsinki|Lisboa"
)

STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA"
    "|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY"
)

UK_AREAS = (
    "AB|AL|BA|BB|BD|BH|BL|BN|BR|BS|BT|B|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|EC|EH|EN|EX|E|FK|FY|GL|GU"
    "|GY|G|HA|HD|HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|LA|LD|LE|LL|LN|LS|LU|L|ME|MK|ML|M|NE|NG|NN|NP|NR|NW|N|OL|OX"
    "|PA|PE|PH|PL|PO|PR|RG|RH|RM|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|S|TA|TD|TF|TN|TQ|TR|TS|TW|UB|WA|WC|WD|WF|WN|WR"
    "|WS|WV|W|YO|ZE"
)
"""Postcode areas of the United Kingdom, longer ones first where they share a letter."""
