# ruff: noqa: E501  -- lists and patterns read better unbroken
"""Given names that are common where the five languages are spoken, and who comes there. Lower case.

Not complete, and need not be: a name that is not here is still found where a greeting, a title or a closing says so.
"""

from __future__ import annotations

AMBIGUOUS = frozenset(
    """
    abel amber amor angel april art aurora austin basil bill blanca bob carol chance charity charlotte chase chelsea
    christian clement consolación constance cruz dale dallas daisy dawn dean destiny dolores drew eden faith fern florence
    france frank franco gene georgia gift ginger glen grace grant guy harmony hazel heather holly hope hunter india iris
    ivy jack jade jasmine jean jersey jewel jordan joy june kai king lance lily lima lourdes luz mark marine mark max may
    melody mercedes merry milan miles misty mona nick olive opal page paris pat patience pearl penny peg
    pilar poppy prince ray reed rich rob robin rocky roma rosa rose ruby rusty sage sandy sky sofia sol star stern stone
    storm summer sue sunny sydney terry trinity troy van victor victoria viola violet virginia wade will willow win wolf
    zur rosemary stanley isla pau aurore capucine remedios asunción encarnación rosario saga paloma carmine lupe noor
    asia chip clay cliff colt duke earl ernst herb major mars marina miles norm
    sierra skip tab tiffany victoire vita celeste luna nova stella alba bella mini mia an do my le
    """.split()
)
"""Names that are also words, places or brands: not enough by themselves."""

GIVEN_NAMES = (
    frozenset(
        """
    aaron abdul abdullah abigail adam adela adele adelaide adrian adriana adrien agata agnes agnès agnieszka ahmad ahmed
    aidan aisha aitor alan albert alberto aldo alejandra alejandro aleksander aleksandra alessandra alessandro alessia
    alessio alex alexa alexander alexandra alexandre alexis alfie alfonso alfred alfredo ali alice alicia alina aline
    alison alistair allison alma alvaro álvaro amadou amanda amélie amelia amelie amina amir amit amy ana anaïs anais
    anas anastasia anders andrás andre andré andrea andreas andrei andrés andres andrew andrey andrzej andy ángel ángela
    angela angelika angelina angelo anita anja anjali ann anna annabel anne annalisa annegret anneke annette annie annika
    anouk anthony antoine anton antonella antonia antonio antónio anya aoife arianna ariane ariana ariel arjun armando
    arnaud arne arno arthur arturo asha ashley astrid ásta aurélie aurelie aurélien axel ayesha aylin aziz barbara barry
    bart bartosz bastian bastien beata beatrice beatriz béatrice becky belén ben benedetta benedikt benjamin benoit benoît
    bernard bernd bernhard bert bertrand beth bethany betty bianca birgit birgitta björn bjorn boris brad bradley brandon
    brenda brendan brian bridget brigitte britta bruce bruno bryan caitlin callum camila camille carina carl carla carlo
    carlos carmen carmela carolina caroline carsten cassandra catalina caterina catherine cathy cecilia cédric cedric
    cecile cécile celia celine céline cesar césar chantal charles charlie chiara chidi chloe chloé chris christa christel
    christelle christiane christina christine christof christoph christophe christopher cindy claire clara claudia claude
    claudine claudio claus clémence clement clément colin colette connor conor corinna corinne cornelia craig cristian
    cristiano cristina curtis cynthia dagmar damian damien dana daniel daniela daniele danielle danny dario david
    davide deborah debbie delphine denis denise dennis derek desirée detlef diana diane didier diego dieter dietmar dina
    dirk dmitri dominic dominik dominique donald donatella donna dora doris dorothea dorothy douglas duncan dylan eamonn
    eddie edgar edith eduardo edward edwin eero eileen eirik elaine elena eleanor eleonora elías elif elin elisa elise
    élise elisabeth élisabeth elisabetta elizabeth elke ella ellen ellie élodie elodie eloise eloïse elsa elvira emanuel
    emanuela emanuele emeka emeric emil emilia emilie émilie emiliano emilio emily emine emir emma emmanuel emmanuelle enrico
    enrique enzo eric erica erik erika ernesto erwin esperanza esra esteban estelle esther ethan étienne etienne eugene
    eugenia eugenio eva evan eve evelyn ewa ezequiel fabian fabien fabienne fabio fabiola fabrice fabrizio farah farid fatima
    fátima federica federico felipe felix félix ferdinand fernanda fernando filip filippo finn fiona flavia flavio florian
    floriane franca francesca francesco francine francis francisca francisco franck françois françoise franz freddie
    frederic frédéric frederick frederik freya frida friederike friedrich fritz gabi gabriel gabriela gabriele gabriella
    gabrielle gaël gaelle gaëlle gary gemma geneviève geoff geoffrey georg george georges georgina gérard gerald gerard
    gerda gerhard germán gerry gertrud giacomo gianluca gianni gilles gina ginevra giorgia giorgio giovanna giovanni giulia
    giuliana giulio giuseppe giuseppina gisela gloria gonzalo gordon graham graziella greg gregor gregory grégory greta
    grzegorz guadalupe gudrun guido guillaume guillermo günter günther gunnar gustav gustavo gwen hakan halima hamza hana
    hanna hannah hanne hannes hans harald haris harold harriet harry hassan héctor hector heidi heike heiko heiner heinrich
    heinz helen helena helene hélène helga helmut hélio hendrik henri henrik henrike henry herbert hermann herve hervé hilary
    hilda hilde holger horst howard hubert hugh hugo hugues humberto hussein ian ibrahim ida ignacio igor ilaria ilse ilona
    ilona imran inés ines inès inga inge ingeborg ingo ingrid irene irena irina irma isaac isabel isabell isabella isabelle
    isaac isla ismael ivan iván ivana ivo iwona jacob jacqueline jacques jaime jakob jakub james jamie jan jana jane janet
    janice janina jannik jannis jari jarosław jasmin jason javier jay jeanette jeanne jeff jeffrey jelena jenna jennifer jenny
    jens jeremy jérémy jerome jérôme jesper jess jesse jessica jessie jesús jill jim jimena jimmy jo joachim joan joana joanna
    joanne joao joão joaquín jochen jocelyn joe joel joël joelle johan johann johanna johannes john johnny jolanta jon jonas
    jonathan jorge jörg josé jose josef josefa josefina joseph joséphine josephine josh joshua josie joyce juan juana juanita
    judith julen jules julia julian juliana juliane julie julien juliette julio julius jürgen justin justine justyna jutta
    kamal kamil kara karen karim karin karina karl karla karolina karsten kasia katarina katarzyna kate katharina katherine
    kathleen kathrin kathryn kathy katia katie katja katrin kay keith kelly ken kenneth kerstin kevin khadija khalid kiara
    kieran kim kimberly kirsten kirsty kjell klara klaus konrad konstantin kristin kristina kristof krzysztof kurt kwame kyle
    laetitia lara lars laszlo lászló laura laure lauren laurence laurent laurie lea léa leah leandro leila lena léna lenka leo
    léo leon léon leonard leonardo leonie leonor leopold leroy lesley leslie leticia letizia lewis liam lidia liisa lilian
    liliana lilly lina linda linnea linus lior lisa lisbeth liselotte livia liz loïc lola lorena lorenzo loretta lothar lotte
    lou louis louisa louise luc luca lucas lucía lucia luciana luciano lucie lucien lucille lucinda lucy ludovic luigi luis
    luisa luise luka lukas luke lutz lydia lydie lynn maarten mackenzie maddalena madeleine mads magali magda magdalena magnus
    mahmoud maja maike malcolm malik malin malte manfred manon manuel manuela mara marc marcel marcela marcello marcelo marcin
    marco marcos marcus marek margaret margarita margarete margherita margit margot marguerite mari maria maría mariam mariana
    marianna marianne mariano marie mariella marietta marija marika marília marilyn mario marion marisa marisol maritta marius
    marjorie marko markus marlene marlies marta martha martin martín martina martine marvin mary maryam massimo mateo mateusz
    mathias mathieu mathilde matías matilda matilde matt matteo matthew matthias matthieu maud maureen maurice mauricio maurizio
    mauro maxim maxime maximilian maya megan mehdi mehmet meike mel melanie mélanie melissa melina mercè meryem micaela michael
    michaela michał michal michel michela michele michèle michelle miguel mihai mika mikael mike mikel mikhail mikko milena
    milica milos mina mira miranda mireille mirella miriam mirja mirko mohamed mohammad mohammed moira monica mónica monika
    monique montserrat morgane morten moritz muhammad murat murielle mustafa myriam nadia nadine nadja naima nancy naomi natalia
    natalie nathalie natasha nathan neha neil nele nelly nerea ngozi niall niamh niccolò nicholas nico nicola nicolas nicolás
    nicole nicoletta niels nigel niklas nikolai nikolaus nils nina ninette noah noé noel noelia noémie nora norbert norma nour
    nuria núria odile olaf oleg olga oliver olivia olivier omar oriol orla oscar óscar oskar osman otto owen pablo paloma pam
    pamela paola paolo pascal pascale patrice patricia patrick patrik patrizia patrycja paul paula paulina pauline paulo pavel
    pedro peggy penelope pete peter petra petros phil philip philipp philippa philippe phoebe pia pierre pierrick pietro pilar
    piotr pirjo priya quentin rachel rachid radek rafael rafał raffaele raffaella rahul raimund rainer raj ralf ralph ramón
    ramon ramona raoul raphael raphaël raquel rasmus raul raúl rebecca regina regine reinhard reinhold rémi remi rémy renata renate
    renato renaud rene rené renée ricarda riccardo ricardo richard rita roberta robert roberto rodolfo rodrigo roger roland rolf
    romain roman romy ronald ronan ronja ronnie rory rosalia rosalie rosanna rosario rosemarie rosemary ross rowan roxane roy ruben
    rubén rüdiger rudi rudolf rui rupert russell ruth ryan sabine sabrina salma salvatore sam samantha samia samir samira
    samuel samuele sandra sandrine sanjay sanna sara sarah sascha saskia scott sean seán sebastian sebastián sébastien
    selin selina selma serena serge sergei sergio séverine shane shannon sharon sheila shirley sibylle siegfried sigrid silke silvana
    silvia silvio simon simona simone siobhan sofie solange solène sonia sónia sonja sophia sophie sören stacey stacy stefan stefania
    stefanie stefano steffen steffi stéphane stephanie stéphanie stephen steve steven stewart stuart sunita susan susana susanna
    susanne susi suzanne suzie sven svenja svetlana sybille sylvain sylvia sylvie tabea tamara tania tanja tara tatiana tatjana ted
    teresa tess tessa thea theo théo theresa therese thérèse thibault thierry thilo thomas thorsten tiago tilda tim timo timothy
    tina tobias toby todd tom tomás tomas tomasz tommaso tommy toni tony torben torsten tracey tracy tristan trudy tyler udo ugo
    ulla ulf uli ulrich ulrike umberto ursula uschi uta ute uwe valentin valentina valentino valeria valérie valerie vanessa
    vera verena verónica veronica veronika véronique vicente vicky víctor vijay viktor viktoria vilma vincent vincenzo vincenza violaine
    violetta virginie vittoria vittorio vivian viviana vivien vivienne vladimir volker wanda wendy werner wibke wiebke wilfried wilhelm
    willem william willi wojciech wolfgang xavier ximena yann yannick yara yasmin yasmine yolanda yosef yusuf yves yvette yvonne zachary
    zahra zainab zara zeynep zoe zoé zofia zoltan zuzana
    adaeze jóhanna okan pooja rohan deepak ravi vikram suresh lakshmi ananya aarav ling wei jing hiroshi yuki kenji sakura minh linh
    thuy nguyen oluwaseun tunde kofi ama abena fatou moussa ousmane aminata mamadou sekou svein ragnhild solveig håkon åsa ylva
    oskar gunilla lennart göran kerstin jörgen bengt inger mette søren lærke rasmus jesper hanneke marieke joost jeroen sander pieter
lorraine gareth rhys owain carys sian siân eilidh callum hamish rory fergus angus isla iona morag kirsty lachlan declan niall
    cormac oisin saoirse aoife ciara caoimhe roisin sinead siobhan padraig gareth glenys bronwyn dilys gwen gwyneth trevor nigel clive
    rosalind tamsin imogen cordelia beatrice winifred edith agnes mabel harriet rosemary bernadette marjorie doreen muriel beryl
    philippa cressida quentin rupert barnaby jasper humphrey reginald theodore thaddeus ignatius cecil wilfred stanley percival
    desmond winston jamal tyrone latoya keisha shanice tanisha darnell malik amara chiamaka ngozi chinedu emeka ifeoma kwame kofi
    yaw akosua adwoa esi temitope folake yetunde babatunde segun sipho thabo lerato nomsa
    friederike dorothea mechthild gudrun roswitha waltraud hannelore irmgard edeltraud adelheid hedwig elfriede liselotte siegfried
    burkhard eberhard ekkehard gerd hartmut helmut holger heiner hinrich jochen jörn knut lutz reinhold rainer siegmund torsten
    torben ulf volker wendelin winfried wolfram dörte frauke wiebke maren mareike imke anke heike silke elke birte jule svenja
    greta frieda mathilda leonie annika finja merle malte bjarne lasse piet fiete hauke
    coralie manon aurore inès solène maëlle maëva océane clémence capucine apolline bérénice bénédicte ghislaine mireille josiane
    ludivine élodie gwenaëlle yannick loïc gaël erwan thibault thibaud gauthier gilles fabrice marcel raoul édouard gaspard
    léandre maxence corentin titouan youssef yasmina karim samir nadia leïla rachida abdel
    rocío almudena macarena inmaculada candela jimena ainhoa nerea itziar maite begoña covadonga encarnación remedios asunción
    eusebio fermín gonzalo ernesto ramiro rodrigo iker unai aitor xabier gorka jordi montserrat meritxell oriol arnau pau
    yolanda maribel conchita paloma rosario eugenia graciela ximena guadalupe lupe esteban anselmo celestino evaristo
    giada ludovica ilaria noemi serena debora ornella mirella loredana antonella donatella raffaella mariangela assunta
    ettore oreste tommaso renato ruggero gaetano gennaro pasquale salvatore carmine vincenzo calogero ugo dario fabrizio
    ottavio silvano tiziano valerio
    wietske femke maaike marijke annelies hilde liesbeth griet jolanda sjoerd wouter pim jelle tjeerd siebe hendrik dirk
    linnea ebba alva saga tindra tuva torbjörn björn anders per-olof lars göran stellan håkan ulla birgitta gunnel maj
    agnieszka małgorzata katarzyna zbigniew krzysztof wojciech tomasz paweł grzegorz jakub zofia oksana olena svitlana dmytro
    volodymyr andriy natalia ekaterina svetlana dimitri sergei yusuf mustafa emre burak cem elif zeynep fatma hatice aylin
    selin deniz yasemin murat hakan omar tariq bilal zainab khadija hassan hussein layla noor samira faisal
    arjun rohan vikram sanjay rajesh deepak kavita sunita pooja neha anjali divya meera siddharth nikhil aditya ishaan
    penelope dominic bartholomew yvonne yvette gwendolyn
    amandine priya latisha shanice thiago kenji wendell bea debs dave darren gillian joaquín odile gareth mehmet noor
    kwabena chidi bronte darren gaz dee jordi danny vicki ricky bobby katy kath lou maddie ollie tilly callie josh zach luke
    mariam amal salma tunde femi kunle chinwe zanele ravinder gurpreet harpreet manpreet jaspreet parminder
    femke sanne lieke daan bram thijs ruud wouter gerrit anouk fleur maaike marloes esmee
    bronwen priyanka clifton nathaniel ewan tilman hortense casimiro hendrika geert kwabena mourad eoin cillian
    cerys angharad ailsa bohdan jiri ondrej harpreet gurpreet jaspreet mei xiang haruto jae-won
    """.split()
    )
    - AMBIGUOUS
)
"""Names that say "a person" by themselves where they stand with a capital letter, or after a greeting without one."""
