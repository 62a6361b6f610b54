# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Words of postal addresses: kinds of streets, towns that identify an address by themselves, states, postcode areas."""

from __future__ import annotations

from frontdesk.masking.lexicons import read_word_lists

_WORDS = read_word_lists("place_words")

STREET_ENDING = _WORDS["street_ending"]
BARE_STREET = frozenset(_WORDS["bare_street"])
NO_STREET = frozenset(_WORDS["no_street"])

STREET_FIRST = (
    r"calle|c/|avenida|avda\.?|av\.|plaza|pza\.?|paseo|p[ºo]\.?|carrer|ronda|camino|carretera|ctra\.?|travesía|glorieta|rambla"
    r"|gran vía|via|viale|v\.le|piazza|p\.zza|piazzale|corso|c\.so|largo|vicolo|strada|lungomare|lungarno|contrada"
    r"|rua|rue|avenue|boulevard|chaussée|place|quai|allée|chemin"
)
"""Kinds of streets before name and number: Calle Mayor 5, Via Roma 12."""

STREET_AFTER_NUMBER = (
    r"rue|avenue|av\.?|ave\.?|boulevard|bd\.?|bld\.?|blvd\.?|place|pl\.|allées?|impasse|chemin|ch\.|quai|route|rte\.?|cours"
    r"|square|passage|faubourg|fbg\.?|sentier|villa|cité|résidence|lotissement|montée|esplanade|promenade"
)
"""Kinds of streets between number and name: 12 rue des Lilas."""

STREET_LAST = (
    r"street|str?\.?|road|rd\.?|avenue|ave?\.?|lane|ln\.?|drive|dr\.?|court|ct\.?|close|way|place|pl\.?|square|sq\.?|terrace"
    r"|crescent|cres\.?|gardens|gdns\.?|boulevard|blvd\.?|highway|hwy\.?|parkway|pkwy\.?|row|mews|grove|hill|park|walk|green"
    r"|view|circle|cir\.?|trail|trl\.?|loop|alley|quay|wharf|rise|broadway|turnpike|pike"
)
"""Kinds of streets after number and name: 221 Baker Street, 350 Fifth Ave."""

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

STATES = "|".join(_WORDS["states"])
UK_AREAS = "|".join(_WORDS["uk_areas"])
