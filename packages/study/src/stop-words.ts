import spanishShort from 'natural/lib/natural/util/stopwords_es.js';
import persian from 'natural/lib/natural/util/stopwords_fa.js';
import frenchShort from 'natural/lib/natural/util/stopwords_fr.js';
import indonesian from 'natural/lib/natural/util/stopwords_id.js';
import italianShort from 'natural/lib/natural/util/stopwords_it.js';
import japanese from 'natural/lib/natural/util/stopwords_ja.js';
import dutch from 'natural/lib/natural/util/stopwords_nl.js';
import norwegian from 'natural/lib/natural/util/stopwords_no.js';
import polish from 'natural/lib/natural/util/stopwords_pl.js';
import portugueseShort from 'natural/lib/natural/util/stopwords_pt.js';
import russian from 'natural/lib/natural/util/stopwords_ru.js';
import swedish from 'natural/lib/natural/util/stopwords_sv.js';
import ukrainian from 'natural/lib/natural/util/stopwords_uk.js';
import chinese from 'natural/lib/natural/util/stopwords_zh.js';

/** English function words and what lecturers say between the things they mean. */
const english = `a about above absolutely across actually after afterwards again against ago ah all almost along already
also although always am among an and another any anybody anyhow anyone anything anyway anywhere are aren't around as
aside at away back basically be became because become becomes been before beforehand behind being below besides better
between beyond bit both but by call called came can can't cannot certain certainly come comes coming could couldn't
course definitely did didn't do does doesn't doing don't done down due during each eight either else enough entirely
especially etc even ever every everybody everyone everything everywhere exactly except far few fifth fine first five
for former forth four from further gave generally get gets getting give given gives giving go goes going gone gonna
good got gotta great guess guy guys had hadn't half happen happened happens hardly has hasn't have haven't having he
he'd he'll he's hello hence her here here's hers herself hey hi him himself his how however hundred i i'd i'll i'm
i've if imagine in indeed instead into is isn't it it'd it'll it's its itself just keep kind kinda kinds knew know
known knows last later least less let let's like likely little long look looked looking looks lot lots made mainly
make makes making many may maybe me mean means meant might million mine more moreover most mostly mr mrs ms much must my myself
name named namely near nearly need needs neither never nevertheless new next nice nine no nobody none nor not nothing
notice now nowhere obviously of off often oh ok okay old on once one one's ones only onto or other others otherwise
ought our ours ourselves out over own part particular particularly people per perhaps place please point possible
possibly pretty previous previously probably put quite rather really reason regarding remember respectively right
said same saw say saying says second see seeing seem seemed seems seen sense seven several shall she she'd she'll
she's should shouldn't show shown shows similar simply since six so some somebody somehow someone something sometimes
somewhat somewhere soon sort sorts still stuff such suppose sure take taken takes taking talk talked talking tell ten
than thank thanks that that'd that'll that's the their theirs them themselves then there there's thereafter therefore
these they they'd they'll they're they've thing things think thinking third this those though thought thousand three
through throughout thus time times to today together told too took toward towards tried tries true truly try trying
turn turned turns twenty two uh um under unless unlike until up upon us use used uses using usually various very via
want wanted wants was wasn't way ways we we'd we'll we're we've well went were weren't what what's whatever when
whenever where whereas whereby wherever whether which whichever while who whoever whole whom whose why will with
within without won't word words would wouldn't yeah year years yes yet you you'd you'll you're you've your yours
yourself yourselves zero actual able dear sir ladies gentlemen lord honor honour hmm mhm huh ya yep em 'em n't 's 're
've 'll 'd 'm ain't won wouldn doesn didn isn aren wasn weren hasn haven hadn couldn shouldn don ll re ve`;

const german = `aber alle allem allen aller alles als also am an ander andere anderen anderer anderes auch auf aus bei bin bis bist
da dabei dadurch dafür dagegen daher damit danach dann daran darauf daraus darin darum das dass dasselbe davon davor
dazu dein deine dem den denen denn der deren des deshalb dessen dich die dies diese dieselbe diesem diesen dieser
dieses dir doch dort du durch ebenfalls ein eine einem einen einer eines einfach einige einigen einiger einmal er es
etwa etwas euch euer für gar genau gegen gesagt gibt ging gut hab habe haben hat hatte hatten hier hin hinter ich
ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in indem ins ist ja jede jedem jeden jeder jedes jedoch jene jetzt
kann kein keine keinem keinen keiner können könnte machen macht mal man manche mehr mein meine mich mir mit muss
müssen nach natürlich nein nicht nichts noch nun nur ob oder ohne okay schon sehr sein seine seinem seinen seiner
seit sich sie sind so solche soll sollte sondern sonst sowie über um und uns unser unter viel viele vielleicht vom
von vor wann war waren warum was weil weiter welche welchem welchen welcher wenn wer werde werden wie wieder will
wir wird wo wollen worden wurde wurden zu zum zur zwar zwischen äh ähm ab allein allerdings andern anders anderem
andernfalls anstatt außer außerdem bald beide beiden beides bereits besonders besser beste bevor bisher bitte bloß
darf darüber darunter dahin demnach dennoch derjenige diejenige dasjenige deswegen diesmal drei zwei eben eher
eigentlich eigene eigenen eins ganz ganze ganzen gab geben gegenüber gehen geht gehabt gemacht genug gerade gern
gewesen gewissen gleich groß große großen halt hast hätte hätten heute heißt indessen infolge innerhalb insbesondere
irgend irgendwie irgendwo jemand jener jenes kommen kommt könnt könntest lassen lässt letzte letzten lieber los
magst mag mehrere meinem meinen meiner meist meisten mindestens möchte möchten mögen möglich musste mussten müsste
nachdem nachher nämlich neben nie niemand nirgends obwohl oft ohnehin paar pro recht rund sagen sagt sagte sah sehen
sei seid seien seines selbst selber sicher sieht sobald sodass sofort sogar solange solchen solcher sollen sollten
somit soweit sowohl später statt stets teil tun trotz trotzdem überhaupt übrigens ums ungefähr unserem unseren
unserer unseres unten unterhalb usw vielen vieler vorher vorbei während wäre wären wegen weg weiß weiterhin wem wen
wenig wenige weniger wenigstens werd wessen weshalb wieso wirklich wirst wisst wobei wodurch wofür woher wohin wohl
wollte wollten womit woran worauf worüber worum wurdest würde würden ziemlich zuerst zuletzt zumindest zunächst
zusammen zuvor zweite genauso sozusagen mhm naja gell`;

/** Function words and what lecturers say between; the lists of natural lack many ("comme", "tout", "si"). */
const french = `a à afin ah ai aie aient aies ailleurs ainsi ait alors après as assez au aucun aucune aujourd'hui auquel aura aurai
auraient aurais aurait auras aurez auriez aurions aurons auront aussi aussitôt autant autour autre autres autrement
aux auxquelles auxquels avaient avais avait avant avec avez aviez avions avoir avons ayant ayez ayons bah beaucoup
bien bientôt bon bonne bref c ça car ce ceci cela celle celle-ci celle-là celles celui celui-ci celui-là cent
cependant certain certaine certaines certainement certains ces cet cette ceux ceux-ci chacun chacune chaque chez
chose choses ci cinq combien comme comment contre d dans davantage de debout déjà dehors delà demain depuis derrière
des dès désormais desquelles desquels dessous dessus deux deuxième devant devrait devoir devons différentes
différents dire dis disait disent dit dites dix doit doivent donc donne donner dont du duquel durant e effet eh elle
elle-même elles elles-mêmes en encore enfin ensemble ensuite entre envers environ es est est-ce et étaient étais
était étant etc été êtes étiez étions être eu eue eues euh eurent eus eut eux eux-mêmes exemple façon faire fais
faisaient faisait faisant fait faites fallait faudrait faut font furent fus fut fût genre grâce grand grande grandes
grands gros guère hein hélas hier hop hormis hors huit ici il ils j jamais je jusqu jusque juste l là la laquelle le
lequel les lesquelles lesquels leur leurs loin longtemps lorsqu lorsque lui lui-même m ma maintenant mais malgré
manière me même mêmes merci mes mien mienne miennes miens mieux mille moi moi-même moins mon mot n na ne néanmoins
neuf ni nom nombreuses nombreux non nos notamment notre nôtre nôtres nous nous-mêmes nouveau nouveaux nouvelle
nouvelles nul o oh on ont onze or ou où ouais oui outre par parce parfois parler parmi part particulier
particulièrement partie pas passe passer pendant pense personne petit petite petites petits peu peut peut-être
peuvent peux plupart plus plusieurs plutôt point pour pourquoi pourra pourrait pouvait pouvez pouvoir pouvons
premier première premièrement prendre près presque puis puisqu puisque qu quand quant quatre que quel quelle quelles
quelqu quelque quelques quelqu'un quels qui quiconque quoi quoique revoilà rien s sa sais sait sans sauf savez
savoir se selon sept sera serai seraient serais serait seras serez seriez serions serons seront ses seul seule
seulement seules seuls si sien sienne siennes siens simplement sinon six soi soi-même soient sois soit sommes son
sont sous souvent soyez soyons suis suivant suivante sur surtout t ta tandis tant te tel telle tellement telles tels
temps tenir tes toi toi-même ton tôt toujours tous tout toute toutefois toutes très trois trop trouve tu un une unes
uns va vais vas venir vers veut veulent veux vient voici voilà voir vois voit vont vos votre vôtre vôtres vous vous-
mêmes voyez voyons vrai vraiment vu y là-bas là-dessus c'est-à-dire d'abord d'accord j'ai n'est qu'il`;

const spanish = `a acá además adiós ahí ahora al algo alguien algún alguna algunas alguno algunos allá allí ambas ambos ante anterior
antes apenas aquel aquella aquellas aquello aquellos aquí así aun aún aunque bajo bastante bien bueno buena buenas
buenos cada casi caso cerca cierta cierto claro como cómo con conmigo contigo contra cosa cosas cual cuál
cuales cuáles cualquier cualquiera cuando cuándo cuanto cuánto cuantos de debajo debe deben debería debido decía
decimos decir del delante demás demasiado dentro desde después detrás dice dicen dicho dijo donde dónde dos durante
e ejemplo el él ella ellas ello ellos en encima entonces entre era erais éramos eran eras eres es esa esas ese eso
esos está ésta estaba estaban estado estáis estamos están estar estará estas éstas este éste esto estos éstos estoy
estuvo etcétera fin forma fue fuera fueron fui fuimos gracias gran grande grandes ha haber había habían habrá habría
hace hacen hacemos hacer hacia haciendo han has hasta hay haya he hecho hemos hizo hola hoy igual incluso ir jamás
junto la las le les lo los luego llegar lugar mal manera más mayor me mediante mejor menor menos mi mí mía mías
mientras mío míos mira mis misma mismas mismo mismos modo momento mucha muchas mucho muchos muy nada nadie ni ningún
ninguna ninguno no nos nosotras nosotros nuestra nuestras nuestro nuestros nueva nuevo nunca o ok os otra otras otro
otros para parece parte pero persona poca pocas poco pocos podemos poder podía podría podrían pone poner por porque
primer primera primero principalmente propia propio pudo puede pueden puedo pues punto que qué queda quién quien
quienes quiere quiero sabe saber sabemos se sea sean según segunda segundo ser será serán sería si sí sido siempre
siendo sin sino sobre sola solamente solo sólo somos son soy su sus suya suyas suyo suyos tal tales también tampoco
tan tanta tantas tanto tantos te tendrá tenemos tener tengo tenía ti tiempo tiene tienen toda todas todavía todo
todos tras tres tu tú tus tuvo tuya tuyo u último última un una unas uno unos usted ustedes va vamos van varias
varios veces ver vemos verdad vez vosotras vosotros voy vuestra vuestras vuestro vuestros y ya yo eh digamos`;

const italian = `a abbastanza abbia abbiamo ad adesso agli ai al alcun alcuna alcune alcuni alcuno all alla alle allo allora almeno
altra altre altri altro anche ancora anzi appena appunto assai attraverso avanti avere aveva avevano avete avuto
basta bene beh buono c capire caso c'è certa certo che chi chiunque ci ciascuna ciascuno ciò cioè circa
come comunque con contro cosa cose così cui d da dagli dai dal dall dalla dalle dallo dappertutto davanti davvero
degli dei del dell della delle dello dentro detto deve devo devono di dice dietro dire diventa dobbiamo dopo dov
dove dovrebbe due dunque durante e è ecc ecco ed egli ella entro eppure era erano esempio essa esse essendo essere
essi esso eravamo fa faccio facciamo fanno fare fatto finché fino fra fu fuori furono già giorno giù gli grande
grandi grazie ha hai hanno ho i ieri il in indietro infatti infine inoltre insieme insomma intanto intorno invece io
l la là lato le lei li lì lo loro lui lungo ma magari mai male me meglio meno mentre mi mia mie miei mio modo molta
molte molti molto momento ne né negli nei nel nell nella nelle nello nemmeno neppure nessun nessuna nessuno niente
no noi non nostra nostre nostri nostro nulla nuovo o od oggi ogni ognuna ognuno oltre oppure ora ossia parte peggio
per perché perciò perfino però persone piccolo più po poca poche pochi poco poi poiché possiamo posso possono potere
potrebbe prendere presso prima primo proprio può punto pure qua qual qualche qualcosa qualcuno quale quali qualsiasi
qualunque quando quanta quante quanti quanto quasi quattro quei quel quell quella quelle quelli quello quest questa
queste questi questo qui quindi sa sappiamo sarà saranno sarebbe se sé secondo sei sempre senza sia siamo siano
siate siccome siete sono sopra soprattutto sotto sta stai stanno stata state stati stato stessa stesse stessi stesso
sto su sua sue sugli sui sul sull sulla sulle sullo suo suoi tale tali talvolta tanta tante tanti tanto te tra tre
troppo tu tua tue tuo tuoi tutta tuttavia tutte tutti tutto un una uno v va vai vale vado vanno vedere vediamo verso
vi via viene vengono voi volta volte vostra vostre vostri vostro vuol vuole eh ehm mah`;

const portuguese = `a à acerca agora aí ainda além algo alguém algum alguma algumas alguns ali ambas ambos ante antes ao aos apenas após
aquela àquela aquelas aquele àquele aqueles aqui aquilo as às assim até atrás através bastante bem boa bom cá cada
caso cedo cerca certa certamente certo cima claro coisa coisas com como comigo conforme conosco contra contudo cuja
cujas cujo cujos da daí dali dão daquela daquele daqui dar das de debaixo dela delas dele deles demais dentro depois
desde dessa dessas desse desses desta destas deste destes deve devem deveria dever devido dia diante disse disso
disto dizem dizer diz do dois dos duas durante e é ela elas ele eles em embora enquanto então entre era eram és essa
essas esse esses esta está estamos estão estar estas estás estava estavam este estes esteve estive estou eu exemplo
faz fazem fazemos fazer fazia feita feito fez fim foi fomos for fora foram forma fosse fui geral grande grandes há
haja havia hoje inclusive ir isso isto já jamais junto la lá lado lhe lhes lo logo longe lugar maior maioria mais
mal mas me meio melhor menor menos mesma mesmas mesmo mesmos meu meus mim minha minhas modo momento muita muitas
muito muitos na nada não naquela naquele nas nem nenhum nenhuma nessa nessas nesse nesses nesta nestas neste
nestes ninguém no nos nós nossa nossas nosso nossos nova novo num numa nunca o obrigado onde ontem os ou outra
outras outro outros para parece parte pela pelas pelo pelos pequena pequeno per perante perto pessoas pode podem
podemos poder podia pois põe ponto por porém porquanto porque porquê portanto possível pouca poucas pouco poucos
primeira primeiro principalmente própria próprio próximo pude qual quais qualquer quando quanto quantos quão quase
que quê quem quer quero sabe saber são se sei seja sejam sem sempre sendo ser será serão seria seu seus si sido sim
só sob sobre somente somos sou sua suas tal tais talvez também tampouco tanta tantas tanto tão tarde te tem têm
temos tempo tendo tenha tenho tens ter terá teria teu teus teve ti tido tinha tinham tive toda todas todavia todo
todos tu tua tuas tudo última último um uma umas uns usar vai vamos vão várias vários vem ver vemos vez vezes você
vocês vos vou né tá gente`;

const arabic = `في من على إلى الى عن مع هذا هذه ذلك تلك الذي التي الذين اللذين ما لا لم لن إن أن ان إذا اذا قد كان كانت يكون تكون
كما كل بعض غير بين هو هي هم هن نحن أنا انا أنت انت ثم أو او و ف ب ل ك حتى عند عندما لكن ولكن بعد قبل حيث منذ أي اي
أيضا ايضا فقط هناك هنا به بها له لها لهم منه منها فيه فيها عليه عليها وهو وهي وفي ومن وعلى وقد ولا وما أما اما لأن
لان ليس ليست نعم يعني طيب إلا الا أنه انه أنها انها وأن وكان وكانت هؤلاء أولئك اولئك هذان هاتان ذلكم ذاك تلكم اللتان
اللذان اللواتي اللاتي التى الذى إلي علي عليهم إليه اليه إليها اليها إليهم لدى لديه لديها لدينا عنه عنها عنهم منهم
منكم بهم بهذا بهذه لهذا لهذه لذلك كذلك بذلك وذلك وهذا وهذه هكذا فإن فان فهو فهي وهم وهن أنتم انتم أنتن إياه نفس نفسه
نفسها ذات ذاته كلها كله كلهم كلا كلتا جميع جدا جداً مثل مثلا مثلاً عدة عدد أكثر اكثر أقل اقل أول اول أخرى اخرى آخر
اخر الآخر غيره غيرها سوى سوف سـ لقد ولقد فقد لعل لعله ليت كأن كأنه لكنه لكنها لكنهم ولكنه لأنه لانه لأنها لانها بأن
بان وأنه وانه بأنه أنهم انهم أنك أننا اننا إننا إنه إنها انني إنني يمكن ويمكن كيف متى أين اين لماذا ماذا هل كم مهما
أينما حيثما كلما طالما بينما بينهم بينها خلال عبر ضد نحو حول دون بدون فوق تحت أمام امام وراء خلف داخل خارج قرب ضمن
لدي تم يتم وتم كنت كنا كانوا يكن تكن نكون فكان أصبح اصبح صار ظل بات مازال زال مادام دام عاد لو لولا أم ام بل بلى إذن
اذن إذ اذ إما سواء حين حينما عندئذ حينئذ الآن الان اليوم أمس غدا هنالك ثمة رغم بسبب أجل لكي كي حتي شيء شيئا الشيء
أشياء يقول قال قالت نقول أقول يعنى اه آه طبعا أيها ايها يا واحد واحدة اثنان بعضها بعضهم أحد احد إحدى احدى`;

function toSet(words: Iterable<string>): ReadonlySet<string> {
  const set = new Set<string>();
  for (const word of words) {
    const lower = word.trim().toLowerCase();
    if (lower === '') continue;
    set.add(lower);
    // Elided and contracted forms are cut apart by some tokenisers: both the whole and the part are stopped.
    if (lower.includes('’')) set.add(lower.replaceAll('’', "'"));
  }
  return set;
}

const russianMore = `бы вот всё где даже для его ещё если есть здесь именно или их как какой когда конечно которая которое
которые который которых куда либо лишь между можно мы надо наш него неё нет них нужно однако она они очень поскольку потом
потому почему поэтому просто сейчас сначала так также такая такие такой там теперь тогда тоже только тот уже хотя через чтобы
эта эти это этот является видим говорим сегодня`;
const chineseMore = `的 地 得 了 着 过 在 从 里 上 下 中 内 外 前 后 和 与 及 或 或者 而 而且 但 但是 因为 因此 所以 如果 那么 虽然 然后 于是 并
并且 时 时候 这 那 这个 那个 这些 那些 这里 那里 它 他 她 我 你 它们 他们 我们 你们 自己 可以 能 能够 会 要 想 就 就是 也 都 很 非常
更 最 还 还是 又 再 只 不 不是 没 没有 是 有 被 把 让 给 向 往 到 对 对于 关于 为 为了 用 以 以及 于 之 其 什么 怎么 怎样 哪 哪里 谁
多 少 多少 几 一 二 两 三 四 五 六 七 八 九 十 百 千 一个 一种 一些 一样 等 看 看到 说 讲 知道 觉得 现在 今天 大家 这样 那样 根 本 个 种
些 条 张 位 次 件 只是 其实 比如 例如 通过 进行 成为 称为 叫做`;
const japaneseMore = `上 下 中 前 後 時 年 一 二 三 四 五 六 七 八 九 十 本 個 枚 人 的 何 今 今日 私 我々 事 物 所 場合 為 出来 言う 思う 見る`;

const sources: Record<string, () => Iterable<string>> = {
  en: () => english.split(/\s+/),
  de: () => german.split(/\s+/),
  ar: () => arabic.split(/\s+/),
  es: () => [...spanishShort.words, ...spanish.split(/\s+/)],
  fa: () => persian.words,
  fr: () => [...frenchShort.words, ...french.split(/\s+/)],
  id: () => indonesian.words,
  it: () => [...italianShort.words, ...italian.split(/\s+/)],
  ja: () => [...japanese.words, ...japaneseMore.split(/\s+/)],
  nl: () => dutch.words,
  no: () => norwegian.words,
  pl: () => polish.words,
  pt: () => [...portugueseShort.words, ...portuguese.split(/\s+/)],
  ru: () => [...russian.words, ...russianMore.split(/\s+/)],
  sv: () => swedish.words,
  uk: () => ukrainian.words,
  zh: () => [...chinese.words, ...chineseMore.split(/\s+/)],
};

/** The stop words of a language (ISO 639-1), or null where no list is known. */
export function stopWordsFor(language: string): ReadonlySet<string> | null {
  const source = sources[language];
  return source === undefined ? null : toSet(source());
}
