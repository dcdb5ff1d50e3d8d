import type { editingEn } from './editing-en.ts';

const rules = new Intl.PluralRules('ar');

/** مقطع: one, two, 3 to 10, 11 to 99, and all others. */
function segments(n: number): string {
  const category = rules.select(n);
  if (category === 'one') return 'مقطع واحد';
  if (category === 'two') return 'مقطعان';
  return `${n} ${category === 'few' ? 'مقاطع' : category === 'many' ? 'مقطعًا' : 'مقطع'}`;
}

/** What is said while a transcript is corrected, in Arabic. */
export const editingAr: typeof editingEn = {
  title: 'تصحيح النص',
  start: 'صحّح النص',
  goOn: (n) => `صحّح النص (${n} لم تُحفظ)`,
  starting: 'يُجلب النص …',
  correct: (clock) => `صحّح النص عند ${clock}`,
  textAt: (clock) => `النص عند ${clock}`,
  play: 'شغّل',
  playKeys: 'Ctrl+الإدخال',
  revert: 'نص الآلة',
  done: 'أغلق الحقل',
  removed: 'محذوف',
  newer: 'حُفظ في مكان آخر في أثناء ذلك:',
  takeNewer: 'خذ هذا',
  keepOwn: 'أبقِ نصي',
  undo: 'تراجع',
  redo: 'إعادة',
  uncertain: (n) => `غير مؤكد (${n})`,
  uncertainKeys: 'التالي مما يُستمع إليه: Alt+↓، وإلى الوراء Alt+↑',
  versions: 'النسخ',
  save: 'حفظ',
  close: 'أوقف التصحيح',
  saving: 'يُحفظ …',
  behind: 'حُفظ النص في مكان آخر في أثناء ذلك. تصحيحاتك باقية هنا.',
  away: 'لم يتم ذلك: لا يجيب StudyMate. تصحيحاتك باقية هنا؛ أعد المحاولة.',
  notKept: 'هذا المتصفح لا يحتفظ بها: احفظ قبل أن تغادر.',
  tooLong: (n) => `ما لا يُحفظ لطوله: ${segments(n)}. اختصر.`,
  tooLongBy: (n) => `أطول مما يتسع له هذا المقطع بعدد من الحروف: ${n}. اختصره ليُحفظ.`,
  catchUp: 'اعرض النص الأحدث معها',
  contested: (n) => `${segments(n)} مما صحّحته غُيّر في أثناء ذلك: انظر فيه ثم احفظ.`,
  changed: (n) => `صُحح ${segments(n)} ولم يُحفظ.`,
  saved: (version) => `حُفظ في النسخة ${version}.`,
  hint: 'ينتقل الإدخال إلى المقطع التالي، ويشغّله Ctrl+الإدخال.',
  discard: 'تجاهل',
  discardTitle: 'تجاهل تصحيحاتك؟',
  discardText: (n) => `سيضيع ما لم يُحفظ: ${segments(n)}.`,
  keep: 'أبقِها',
  unplaced: (n) => `تصحيحات لا مكان لها في هذا النص: ${n}`,
  unplacedWhy: 'فُرّغ التسجيل من جديد في مقاطع أخرى. هذه التصحيحات غير محفوظة؛ انسخ ما تحتاج إليه منها.',
  keptUnplacedWhy:
    'فُرّغ التسجيل من جديد بكلمات أخرى. حُفظت هذه التصحيحات ولا تظهر الآن في أي مكان؛ انسخ ما تحتاج إليه منها.',
  look: 'انظر فيها',
  copy: 'نسخ',
  copied: 'نُسخت.',
  refused: 'لم يُقبل أحد المقاطع؛ السبب تحت نصه.',
  difference: 'ما الذي تغيّره',
  same: 'لا شيء: نصها هو المعروض.',
  differenceCount: (n, shown) => `${segments(n)}؛ أول ${shown}:`,
  asking: 'تُجلب النسخ …',
  version: (n) => `النسخة ${n}`,
  machine: 'نص الآلة',
  corrected: (n) => `صُحح ${segments(n)}`,
  restoredFrom: (version) => (version === 0 ? 'نص الآلة من جديد' : `مأخوذ من النسخة ${version}`),
  restore: 'استرجاع',
  show: 'اعرض',
  current: 'المعروض الآن',
};
