import { useApp } from '../state/app.ts';
import { CourseTermsField } from './course-terms-field.tsx';
import { DropZone } from './drop-zone.tsx';
import { ModelLine } from './model-line.tsx';
import { RecorderPanel } from './recorder.tsx';
import { SpokenLanguageField } from './spoken-language-field.tsx';
import { UploadList } from './upload-list.tsx';

/** Everything by which a recording gets in. @param props.courseId the course that files are added to */
export function Adding({ courseId }: { courseId?: string }) {
  const { uploads } = useApp();
  return (
    <>
      <div class="adding">
        <DropZone onFiles={(files) => void uploads.add(files, courseId === undefined ? {} : { courseId })} />
        <RecorderPanel courseId={courseId ?? null} />
        <SpokenLanguageField />
        <ModelLine />
      </div>
      <CourseTermsField />
      <UploadList />
    </>
  );
}
