/**
 * What Whisper writes in silence, noise and music, in the words of the captions that it was trained on; collected from
 * public reports on openai/whisper and faster-whisper. People say some of them too: a phrase alone proves nothing.
 */
const phrases: ReadonlySet<string> = new Set([
  // English
  'you',
  'bye',
  'bye bye',
  'thank you',
  'thanks',
  'thank you very much',
  'thank you so much',
  'so',
  'okay',
  'oh',
  'hmm',
  'boom',
  'the end',
  'thanks for watching',
  'thank you for watching',
  'thank you so much for watching',
  'thanks for listening',
  'thank you for listening',
  'please subscribe',
  'please subscribe to my channel',
  'like and subscribe',
  'dont forget to subscribe',
  'dont forget to like and subscribe',
  'see you next time',
  'see you in the next video',
  'ill see you in the next video',
  'ill see you next time',
  'subtitles by the amaraorg community',
  'transcribed by otterai',
  'transcription by castingwords',
  'subtitles by steamteamextra',
  'music',
  'applause',
  'silence',
  'laughter',
  'the following is a conversation with',
  // German
  'untertitel der amaraorg community',
  'untertitelung des zdf 2020',
  'untertitelung aufgrund der amaraorg community',
  'untertitel im auftrag des zdf für funk 2017',
  'untertitel von stephanie geiges',
  'copyright wdr 2021',
  'swr 2020',
  'vielen dank',
  'vielen dank fürs zuschauen',
  'bis zum nächsten mal',
  'musik',
  // French
  'sous titres réalisés par la communauté damaraorg',
  'sous titres réalisés para la communauté damaraorg',
  'sous titrage société radio canada',
  'sous titrage st 501',
  'merci davoir regardé cette vidéo',
  'merci',
  'merci à tous',
  'abonnez vous',
  'musique',
  // Spanish, Portuguese, Italian
  'subtítulos realizados por la comunidad de amaraorg',
  'subtítulos por la comunidad de amaraorg',
  'gracias por ver el video',
  'suscríbete al canal',
  'gracias',
  'música',
  'legendas pela comunidade amaraorg',
  'obrigado',
  'tchau',
  'sottotitoli creati dalla comunità amaraorg',
  'sottotitoli e revisione a cura di qtss',
  'grazie',
  'grazie a tutti',
  'musica',
  // Dutch, Swedish, Polish, Turkish
  'ondertitels ingediend door de amaraorg gemeenschap',
  'bedankt voor het kijken',
  'textning av',
  'napisy stworzone przez społeczność amaraorg',
  'dziękuję za uwagę',
  'altyazı mk',
  'izlediğiniz için teşekkür ederim',
  // Russian, Ukrainian, Arabic
  'продолжение следует',
  'субтитры сделал dimatorzok',
  'субтитры создавал dimatorzok',
  'редактор субтитров асемкин корректор аегорова',
  'спасибо за просмотр',
  'дякую за перегляд',
  'شكرا للمشاهدة',
  'ترجمة نانسي قنقر',
  'اشتركوا في القناة',
  // Japanese, Chinese, Korean
  'ご視聴ありがとうございました',
  'ありがとうございました',
  'チャンネル登録お願いします',
  '字幕by索兰娅',
  '请不吝点赞订阅转发打赏支持明镜与点点栏目',
  '谢谢观看',
  '谢谢大家',
  '시청해주셔서 감사합니다',
  '구독과 좋아요 부탁드립니다',
]);

/** Whether the text is nothing but such a phrase, whatever its case and punctuation. */
export function isPhantomPhrase(text: string): boolean {
  return phrases.has(toPlainWords(text));
}

/** The text in lower case without punctuation, words parted by single spaces. */
export function toPlainWords(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\s-]/gu, '')
    .replace(/[\s-]+/g, ' ')
    .trim();
}
